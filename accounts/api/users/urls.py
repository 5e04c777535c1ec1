from django.urls import path

from accounts.api.users import views

urlpatterns = [
    path("me", views.UsersMeView.as_view()),
]
