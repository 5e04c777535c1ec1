from django.urls import path

from platform_site.me import item_views

urlpatterns = [
    path("/<str:app>/<str:key>", item_views.OutsideItemView.as_view()),
]
