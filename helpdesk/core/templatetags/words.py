"""Words and shapes for templates, loaded in every one of them.

Filters over `core.formatting`, and tags that give a finished piece of markup as one string: a board draws 500 cards, so
a chip costs no template of its own. Whatever comes from people or a PSA is escaped here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.forms import BoundField
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from helpdesk.core import formatting, icons
from helpdesk.core.markup import escape

register = template.Library()

register.filter("duration", formatting.duration)
register.filter("file_size", formatting.file_size)
register.filter("hours_minutes", formatting.hours_minutes)

STATUS_SHAPES = {"waiting_client": "waiting", "waiting_third_party": "waiting", "closed": "resolved"}
"""Categories that share another one's mark; the rest have their own."""


# Filters -------------------------------------------------------------------------------------------------------------
@register.filter
def ago(value: datetime | float | None, now: datetime | None = None) -> str:
    """ "8 s", "4 min": the age of an instant (seen from `now`), or a number of seconds as such."""
    if value is None or value == "":
        return ""
    if isinstance(value, datetime):
        return formatting.ago(((now or timezone.now()) - value).total_seconds())
    return formatting.ago(value)


@register.filter
def moment(at: datetime | None, now: datetime | None = None) -> str:
    """ "today 15:04" in the reader's zone: `{{ ticket.opened_at|moment:now }}`."""
    if not at:
        return ""
    return formatting.moment(at, now or timezone.now(), timezone.get_current_timezone())


@register.filter
def clock_time(at: datetime | None) -> str:
    """ "15:04" in the reader's zone."""
    return formatting.clock_time(at, timezone.get_current_timezone()) if at else ""


@register.filter
def long_day(at: datetime | None, now: datetime | None = None) -> str:
    """ "Today", "Monday 16 November" in the reader's zone."""
    if not at:
        return ""
    return formatting.long_day(at, now or timezone.now(), timezone.get_current_timezone())


@register.filter
def initials(name: object) -> str:
    return formatting.initials(str(name or ""))


@register.filter
def first_name(name: object) -> str:
    """ "Priya" of "Priya Nair"."""
    return str(name or "").strip().split(" ")[0]


@register.filter
def capped(number: int | None, most: int = 999) -> str:
    """ "146", "999+": a count that stopped counting."""
    if number is None:
        return ""
    return f"{most}+" if number > most else str(number)


# Marks ---------------------------------------------------------------------------------------------------------------
@register.simple_tag
def icon(name: str, small: bool = False, **attributes: str) -> SafeString:
    """`{% icon "user-plus" %}`, `{% icon "x" small=True %}`, `{% icon "pencil" class="icon-edit" %}`."""
    extra = (" icon-small" if small else "") + (f" {escape(attributes['class'])}" if "class" in attributes else "")
    classes = f'"icon{extra}"' if extra else "icon"  # thirty a page: a few bytes each are a kilobyte of a list
    return mark_safe(f'<svg class={classes} aria-hidden=true><use href="{icons.address(name)}"/></svg>')


@register.simple_tag
def brand_mark() -> SafeString:
    """Our own mark, in the current colour."""
    return mark_safe(f'<svg class="mark" aria-hidden="true"><use href="{icons.mark_address()}"/></svg>')


@register.simple_tag
def prio(rank: int, name: str, word: bool = False) -> SafeString:
    """A priority's shape; `word=True` shows its name beside it, else only screen readers get it."""
    return mark_safe(f'<span class="prio" data-rank="{int(rank)}"{_word(word)}>{escape(name)}</span>')


@register.simple_tag
def status_mark(category: str, name: str, word: bool = True) -> SafeString:
    """A status's mark and name; `word=False` keeps the name for screen readers."""
    shape = escape(STATUS_SHAPES.get(category, category))
    text = escape(name)
    inner = text if word else f'<span class="hush">{text}</span>'
    return mark_safe(f'<span class="status" data-status="{shape}">{inner}</span>')


def psa_word(mark: str, colour: str) -> str:
    """What `data-psa` says: the PSA's shape and the account's colour, as the style sheet reads them."""
    return f"{mark}-{colour}" if colour else mark


@register.simple_tag
def psa(account: Any, word: bool = False) -> SafeString:
    """The mark of a PSA account, with its title for those who cannot see it."""
    title = escape(account.title)
    hint = "" if word else f' title="{title}"'
    hint += f' data-code="{escape(account.code)}"' if account.code else ""
    mark = escape(psa_word(account.mark, account.colour))
    return mark_safe(f'<span class="psa" data-psa="{mark}"{_word(word)}{hint}>{title}</span>')


@register.simple_tag
def sync(state: str, word: bool = False) -> SafeString:
    """A change on its way to the PSA; nothing while nothing is under way."""
    if not state:
        return mark_safe("")
    text, title = {
        "pending": (_("Pending"), _("Waiting to be sent")),
        "sent": (_("Sent"), _("Sent, and accepted")),
        "checking": (_("Checking"), _("Checking whether the PSA took it")),
        "refused": (_("Refused"), _("Refused: needs a person")),
    }[state]
    return mark_safe(
        f'<span class="sync" data-sync="{state}"{_word(word)} title="{escape(title)}">{escape(text)}</span>'
    )


@register.simple_tag
def avatar(name: object, size: str = "", live: bool = False, away: bool = False) -> SafeString:
    """Two letters in a disc: `size` is "", "m" or "l". Decoration: write the name beside it, or in a `hush`."""
    text = str(name or "")
    marks = (f' data-size="{escape(size)}"' if size else "") + (" data-live" if live else "")
    marks += " data-away" if away else ""
    letters = escape(formatting.initials(text))
    return mark_safe(f'<span class="avatar"{marks} title="{escape(text)}" aria-hidden="true">{letters}</span>')


@register.simple_tag
def visibility(is_internal: bool) -> SafeString:
    """ "Internal" or "Public", never by colour alone."""
    if is_internal:
        return mark_safe(f'<span class="internal-word">{escape(_("Internal"))}</span>')
    return mark_safe(f'<span class="public-word">{escape(_("Public"))}</span>')


def _word(shown: bool) -> str:
    return " data-word" if shown else ""


@register.simple_tag
def marked(text: object, word: str = "") -> SafeString:
    """The text with the first place of `word` marked."""
    whole, sought = str(text), str(word).strip().lstrip("#>").strip()
    at = whole.lower().find(sought.lower()) if sought else -1
    if at < 0 or len(whole.lower()) != len(whole):
        return mark_safe(escape(whole))
    end = at + len(sought)
    return mark_safe(f"{escape(whole[:at])}<mark>{escape(whole[at:end])}</mark>{escape(whole[end:])}")


# Forms ---------------------------------------------------------------------------------------------------------------
@register.simple_tag
def form_input(field: BoundField, **attributes: str) -> SafeString:
    """A field's input in our clothes: class, and the ids of its hint and of the reasons against it."""
    described = [f"{field.auto_id}-wrong"] if field.errors else []
    described += [f"{field.auto_id}-hint"] if field.help_text else []
    is_check = getattr(field.field.widget, "input_type", "") in ("checkbox", "radio")
    attributes.setdefault("class", "check" if is_check else "input")
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if field.errors:
        attributes["aria-invalid"] = "true"
    return field.as_widget(attrs={**attributes})
