from django.urls import path

from tenancy.api.org_settings import views

urlpatterns = [
    path("", views.OrgSettingsView.as_view()),
    path("/by-category/<str:category>", views.OrgSettingsByCategoryView.as_view()),
    path("/<str:key>", views.OrgSettingView.as_view()),
]
