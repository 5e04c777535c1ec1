from django.urls import path

from accounts.api.api_keys import views

urlpatterns = [
    path("", views.ApiKeysView.as_view()),
    path("/<uuid:key_id>", views.ApiKeyView.as_view()),
]
