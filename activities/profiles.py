"""Pins a profile into a run's history."""

from datetime import timedelta
from typing import Protocol

from temporalio import activity

from surefoot.contracts.profiles import Profile, ProfileRequest
from surefoot.errors import ErrorType, ProfileError, final


class ProfileShelf(Protocol):
    def load(self, name: str) -> Profile: ...


class ProfileActivities:
    """Reads profiles as this worker has them, with the contracts of its tools."""

    def __init__(self, shelf: ProfileShelf, *, heartbeat: timedelta) -> None:
        self._shelf = shelf
        self._heartbeat = heartbeat

    @activity.defn(name="profiles.pin")
    async def pin(self, request: ProfileRequest) -> Profile:
        try:
            profile = self._shelf.load(request.name)
        except ProfileError as error:
            raise final(ErrorType.INVALID_PROFILE, str(error)) from error
        return profile.model_copy(update={"heartbeat": self._heartbeat, "fleet": activity.info().task_queue})
