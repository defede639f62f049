"""Going on in a list that is sorted by time, and by id where times are equal: the newest first."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from cloudlet.control.errors import NotFound


def older_than(
    session: Session,
    at: InstrumentedAttribute[datetime],
    row_id: InstrumentedAttribute[str],
    own: ColumnElement[bool],
    cursor: str,
) -> ColumnElement[bool]:
    """What comes after the row with the id `cursor`, which is among one's `own`. Raises NotFound where it is not."""
    moment = session.scalar(select(at).where(row_id == cursor, own))
    if moment is None:
        raise NotFound("There is no such page.")
    return or_(at < moment, and_(at == moment, row_id < cursor))
