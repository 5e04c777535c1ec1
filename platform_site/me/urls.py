from django.urls import path

from platform_site.me import item_views, views

urlpatterns = [
    path("/unread-counts", views.UnreadCountsView.as_view()),
    path("/action-items", item_views.ActionItemsView.as_view()),
    path("/action-items/<uuid:item_id>/done", item_views.DoneView.as_view()),
]
