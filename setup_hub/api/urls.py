from django.urls import path

from setup_hub.api import views

urlpatterns = [
    path("", views.SetupView.as_view()),
    path("/tasks/<str:task_code>", views.SetupTaskView.as_view()),
    path("/auto-check", views.SetupCheckView.as_view()),
    path("/complete", views.SetupCompleteView.as_view()),
]
