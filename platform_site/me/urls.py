from django.urls import path

from platform_site.me import views

urlpatterns = [
    path("/unread-counts", views.UnreadCountsView.as_view()),
]
