"""Below ``/chat/channels/<uuid:channel_id>/messages``."""

from django.urls import path

from chat.api import messages

urlpatterns = [
    path("", messages.MessagesView.as_view()),
    path("/<uuid:message_id>", messages.MessageView.as_view()),
    path("/<uuid:message_id>/reactions/<str:emoji>", messages.ReactionView.as_view()),
]
