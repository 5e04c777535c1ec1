from django.urls import path

from tenancy.api import views

urlpatterns = [
    path("register", views.RegisterView.as_view()),
    path("me", views.TenantMeView.as_view()),
    path("by-slug/<str:slug>", views.TenantBySlugView.as_view()),
    path("check-slug/<str:slug>", views.CheckSlugView.as_view()),
]
