"""The board's data."""

from __future__ import annotations

import datetime
import typing as t

from flask_login import UserMixin
from sqlalchemy import ForeignKey
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column
from sqlalchemy.orm import relationship
from werkzeug.security import check_password_hash
from werkzeug.security import generate_password_hash

from .extensions import db
from .extensions import login_manager


def now() -> datetime.datetime:
    """The time in UTC, without a time zone, which SQLite does not store."""
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


class Account(UserMixin, db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    visits: Mapped[int] = mapped_column(default=0)
    moderator: Mapped[bool] = mapped_column(default=False)
    notices: Mapped[t.List[Notice]] = relationship(back_populates="author")  # noqa: UP006

    def set_password(self, password: str) -> None:
        self.password_hash = generate_password_hash(password)

    def has_password(self, password: str) -> bool:
        return check_password_hash(self.password_hash, password)

    @classmethod
    def named(cls, name: str) -> t.Optional[Account]:  # noqa: UP045
        return db.session.scalar(db.select(cls).filter_by(name=name))


class Notice(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    body: Mapped[str] = mapped_column(Text)
    posted: Mapped[datetime.datetime] = mapped_column(default=now)
    author_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    author: Mapped[Account] = relationship(back_populates="notices", lazy="joined")

    @classmethod
    def newest_first(cls) -> t.Any:
        return db.select(cls).order_by(cls.id.desc())

    def may_be_removed_by(self, account: Account) -> bool:
        return account.is_authenticated and (
            account.moderator or account.id == self.author_id
        )


@login_manager.user_loader
def load_account(key: str) -> t.Optional[Account]:  # noqa: UP045
    return db.session.get(Account, int(key))
