from chat.models.channel import Channel, DirectPair, Member
from chat.models.message import Mention, Message, Reaction

__all__ = ["Channel", "DirectPair", "Member", "Mention", "Message", "Reaction"]
