from django.urls import path

from accounts.api.auth import views

urlpatterns = [
    path("login", views.SignInView.as_view()),
    path("refresh", views.RefreshView.as_view()),
    path("logout", views.SignOutView.as_view()),
    path("logout-all", views.SignOutAllView.as_view()),
    path("verify-email/<str:token>", views.VerifyEmailView.as_view()),
    path("me", views.MeView.as_view()),
]
