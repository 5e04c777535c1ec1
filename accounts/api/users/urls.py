from django.urls import path, register_converter

from accounts.api.refs import UserRefConverter
from accounts.api.users import second_factor, states, views

register_converter(UserRefConverter, "user_ref")

urlpatterns = [
    path("", views.UsersView.as_view()),
    path("/me", views.UsersMeView.as_view()),
    path("/profiles", views.AssignableProfilesView.as_view()),
    path("/accept-invitation", states.AcceptInvitationView.as_view()),
    path("/<user_ref:ref>", views.UserView.as_view()),
    path("/<user_ref:ref>/activate", states.ActivateView.as_view()),
    path("/<user_ref:ref>/resend-invitation", states.ResendInvitationView.as_view()),
    path("/<user_ref:ref>/permanent", states.EraseView.as_view()),
    path("/<user_ref:ref>/mfa", second_factor.UserSecondFactorView.as_view()),
]
