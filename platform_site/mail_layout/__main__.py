"""``python -m platform_site.mail_layout``: compile the layout of mails."""

from platform_site.mail_layout import COMPILED, compiled

if __name__ == "__main__":
    COMPILED.write_text(compiled(), encoding="utf-8")
