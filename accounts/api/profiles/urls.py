from django.urls import path, register_converter

from accounts.api.profiles import views
from accounts.api.refs import NumberConverter

register_converter(NumberConverter, "number")

urlpatterns = [
    path("", views.ProfilesView.as_view()),
    path("/permissions", views.PermissionsView.as_view()),
    path("/<number:profile_id>", views.ProfileView.as_view()),
    path("/<number:profile_id>/activate", views.ActivateProfileView.as_view()),
]
