from django.urls import path

from accounts.api.permissions import views

urlpatterns = [
    path("/me", views.OwnPermissionsView.as_view()),
]
