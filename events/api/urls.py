from django.urls import path

from events.api import views

urlpatterns = [
    path("", views.EventsView.as_view()),
    path("/batch", views.BatchView.as_view()),
    path("/<uuid:canonical_id>", views.EventsOfRecordView.as_view()),
    path("/<uuid:canonical_id>/summary", views.SummaryView.as_view()),
    path("/<uuid:canonical_id>/activity-summary", views.ActivityView.as_view()),
]
