"""The forms that people fill in."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField
from wtforms import PasswordField
from wtforms import StringField
from wtforms import TextAreaField
from wtforms.validators import DataRequired
from wtforms.validators import EqualTo
from wtforms.validators import Length
from wtforms.validators import Regexp
from wtforms.validators import ValidationError

from .models import Account


class SignUpForm(FlaskForm):
    name = StringField(
        "Name",
        [DataRequired(), Length(max=40), Regexp(r"\w+$", message="One word, please.")],
    )
    password = PasswordField("Password", [DataRequired(), Length(min=8)])
    repeated = PasswordField(
        "Password again", [EqualTo("password", "The two passwords differ.")]
    )

    def validate_name(self, field: StringField) -> None:
        if Account.named(field.data):
            raise ValidationError("Somebody has this name already.")


class LogInForm(FlaskForm):
    name = StringField("Name", [DataRequired()])
    password = PasswordField("Password", [DataRequired()])
    remember = BooleanField("Keep me logged in")


class NoticeForm(FlaskForm):
    title = StringField("Title", [DataRequired(), Length(max=80)])
    body = TextAreaField("Notice", [DataRequired()])
