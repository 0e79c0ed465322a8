"""Accounts. Until 0.1 is released, as the models declare them; the release writes that out here."""

from typing import ClassVar

from django.db import migrations
from django.db.migrations.state import ModelState

from pilotbase.hub.models import ApiToken, GivenAnswer, Invitation, Membership, Person, RoleChange, SignUpDomain

_MADE = map(ModelState.from_model, (Person, ApiToken, Invitation, RoleChange, GivenAnswer, Membership, SignUpDomain))


class Migration(migrations.Migration):
    """Makes the tables."""

    initial = True
    operations: ClassVar = [
        migrations.CreateModel(one.name, list(one.fields.items()), one.options, one.bases) for one in _MADE
    ]
