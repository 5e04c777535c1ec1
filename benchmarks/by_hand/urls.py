from django.urls import path

from benchmarks.by_hand import views

urlpatterns = [path("api/v1/auth/me", views.me)]
