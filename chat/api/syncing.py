"""``/chat/sync``: what a client missed, as a socket tells it to who comes back."""

from rest_framework.request import Request
from rest_framework.response import Response

from chat.api import examples
from chat.api.message_shapes import SyncInput, SyncOutput
from chat.api.messages import MESSAGE, TOMBSTONE
from chat.selectors.messages import missed
from platform_site.api.docs import operation
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.permissions import SignedIn
from platform_site.api.views import ApiView


class SyncView(ApiView):
    when_impersonated = WhenImpersonated.MESSAGES
    access = SignedIn()

    @operation(
        id="chat_sync",
        summary="What was missed since these positions",
        description="For clients without a socket. `since` has the position `[seq, changeSeq]` of each channel that"
        " the client knows. `channels` are those in which something is new or unread, or which `since` does not name,"
        " as `[id, lastSeq, changeSeq, lastReadSeq]`: the new position, once the rest is applied. One that is not"
        " listed has nothing new and is read to its end. At most 100 messages and 100 changes of a channel are in it,"
        " and 2,000 in all. What is more is a gap: messages `from` to `to` are read with `after`. Where `from` is not"
        " beyond what the client knew, messages that it has were changed as well: it loads them again. `left` are"
        " channels that one is not in.",
        input=SyncInput,
        output=SyncOutput,
        example_in={"since": {examples.CHANNEL_ID: [413, 2]}},
        example={
            "channels": [[examples.CHANNEL_ID, 414, 3, 409]],
            "messages": [MESSAGE],
            "changed": [{**TOMBSTONE, "seq": 410}],
            "gaps": [],
            "left": [],
        },
    )
    def post(self, request: Request) -> Response:
        found = missed(user_id=self.identity.user_id, **self.read(SyncInput))
        plan = found.plan
        return Response(
            {
                "channels": [
                    [str(row["channel_id"]), row["last_seq"], row["change_seq"], row["last_read_seq"]]
                    for row in plan.news
                ],
                "messages": found.messages,
                "changed": found.changes,
                "gaps": [
                    {"channelId": str(channel_id), "from": first, "to": last}
                    for channel_id, (first, last) in plan.gaps.items()
                ],
                "left": plan.left,
            }
        )
