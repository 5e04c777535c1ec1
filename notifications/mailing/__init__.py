"""From a delivery to a mail on the wire: what it says, by which server it goes, and the way back."""
