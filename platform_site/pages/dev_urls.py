"""Pages for development: mounted only where ``DEVELOPMENT_PAGES`` holds, and each looks again."""

from django.urls import path

from platform_site.pages import dev_views

urlpatterns = [
    path("chat", dev_views.chat, name="dev-chat"),
    path("billing", dev_views.billing, name="dev-billing"),
    path("setup", dev_views.setup, name="dev-setup"),
    path("mail", dev_views.mail, name="dev-mail"),
    path("mail.json", dev_views.mail_json, name="dev-mail-json"),
    path("mail/<str:message_id>/html", dev_views.mail_html, name="dev-mail-html"),
]
