from django.urls import path

from accounts.api.users import second_factor, views

urlpatterns = [
    path("me", views.UsersMeView.as_view()),
    path("<str:ref>/mfa", second_factor.UserSecondFactorView.as_view()),
]
