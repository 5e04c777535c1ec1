from django.urls import path

from accounts.api.auth import (
    own_profile,
    passwords,
    preferences,
    second_factor,
    sessions,
    views,
    workspaces,
    ws_ticket,
)

urlpatterns = [
    path("login", views.SignInView.as_view()),
    path("refresh", views.RefreshView.as_view()),
    path("logout", views.SignOutView.as_view()),
    path("logout-all", views.SignOutAllView.as_view()),
    path("verify-email/<str:token>", views.VerifyEmailView.as_view()),
    path("resend-verification", passwords.ResendVerificationView.as_view()),
    path("password/forgot", passwords.PasswordForgotView.as_view()),
    path("password/reset", passwords.PasswordResetView.as_view()),
    path("password/change", passwords.PasswordChangeView.as_view()),
    path("reauthenticate", sessions.ReauthenticateView.as_view()),
    path("sessions", sessions.SessionsView.as_view()),
    path("sessions/<uuid:session_id>", sessions.SessionView.as_view()),
    path("mfa", second_factor.SecondFactorView.as_view()),
    path("mfa/totp", second_factor.TotpView.as_view()),
    path("mfa/totp/confirm", second_factor.TotpConfirmView.as_view()),
    path("mfa/recovery-codes", second_factor.RecoveryCodesView.as_view()),
    path("mfa/verify", second_factor.VerifyView.as_view()),
    path("mfa/enroll", second_factor.EnrollView.as_view()),
    path("mfa/enroll/confirm", second_factor.EnrollConfirmView.as_view()),
    path("ws-ticket", ws_ticket.WsTicketView.as_view()),
    path("me", views.MeView.as_view()),
    path("me/profile", own_profile.OwnProfileView.as_view()),
    path("me/preferences", preferences.PreferencesView.as_view()),
    path("workspaces/forgot", workspaces.WorkspacesForgotView.as_view()),
]
