from django.urls import URLPattern, URLResolver, include, path

from chat.api import channels, members, people, reading, searching, syncing

urlpatterns: list[URLPattern | URLResolver] = [
    path("/users", people.PeopleView.as_view()),
    path("/unread-count", reading.UnreadCountView.as_view()),
    path("/read-all", reading.ReadAllView.as_view()),
    path("/search", searching.SearchView.as_view()),
    path("/sync", syncing.SyncView.as_view()),
    path("/channels", channels.ChannelsView.as_view()),
    path("/channels/direct", channels.DirectView.as_view()),
    path("/channels/group", channels.GroupView.as_view()),
    path("/channels/<uuid:channel_id>", channels.ChannelView.as_view()),
    path("/channels/<uuid:channel_id>/read", reading.ReadView.as_view()),
    path("/channels/<uuid:channel_id>/leave", members.LeaveView.as_view()),
    path("/channels/<uuid:channel_id>/members", members.MembersView.as_view()),
    path("/channels/<uuid:channel_id>/members/<user_ref:ref>", members.MemberView.as_view()),
    path("/channels/<uuid:channel_id>/messages", include("chat.api.message_urls")),
]
