"""One tool call: checked, approved where the profile asks, run once, and told to the model as text."""

from datetime import timedelta

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from surefoot.contracts.conversation import CallPart, ToolMessage
from surefoot.contracts.runs import Phase
from surefoot.contracts.tools import Effect, ToolCall, ToolContract, ToolResult
from surefoot.errors import CallFailed, InvalidInput
from surefoot.idempotency import effect_key, identifying
from surefoot.pages import as_text
from surefoot.schema import normalised
from workflows import guard_news, outages, policies, tool_words
from workflows.approval import ApprovalGate
from workflows.asking import Asking
from workflows.deeds import Deeds, deed
from workflows.patience import Patience
from workflows.run import Run


class ToolRuns:
    """Runs the tool calls of one run; each effect has a key that outlives retries, workers and runs."""

    def __init__(self, run: Run, gate: ApprovalGate, deeds: Deeds) -> None:
        self._run = run
        self._gate = gate
        self._asking = Asking(run, gate)
        self._deeds = deeds
        self._in_flight: dict[str, ToolCall] = {}

    @property
    def deeds(self) -> Deeds:
        return self._deeds

    def begin_turn(self) -> None:
        """Identical calls are told apart anew in each turn."""
        self._deeds = self._deeds.next_turn()

    async def tell_of_cancelled(self) -> None:
        """A call that was cancelled in flight may have happened all the same: a human is told."""
        for call in self._in_flight.values():
            if call.contract.effect is not Effect.READ:
                await self._run.tell(tool_words.unknown_outcome(self._run, call, "the run was cancelled in mid-call"))

    async def outcome(self, call: CallPart) -> ToolMessage:
        """Make the call, or go on with one about which an earlier history has asked; raises the run's typed end."""
        contract = self._run.profile.tool(call.tool)
        if contract is None:
            text = tool_words.unknown_tool(call, self._run.profile)
        elif call.malformed is not None:
            text = tool_words.malformed(call)
        else:
            text = await self._checked(call, contract)
        return ToolMessage(call_id=call.id, tool=call.tool, content=text)

    async def _checked(self, call: CallPart, contract: ToolContract) -> str:
        try:
            arguments = normalised(contract.parameters, call.arguments)
        except InvalidInput as error:
            return tool_words.invalid_arguments(call, error)
        asked = self._gate.asked_about(call.id)
        if asked:
            return await self._decided(asked.call, await self._asking.again(asked))
        prepared = self._prepare(call.id, contract, arguments)
        rule = self._run.profile.approvals.get(contract.name)
        if rule is None:
            return await self._execute(prepared)
        return await self._decided(prepared, await self._asking.about(prepared, rule))

    async def _decided(self, call: ToolCall, decided: dict[str, JsonValue] | str) -> str:
        if decided == call.arguments:
            return await self._execute(call)
        self._give_back(call)
        if isinstance(decided, str):
            return decided
        return await self._execute(self._prepare(call.id, call.contract, decided))

    def _prepare(self, call_id: str, contract: ToolContract, arguments: dict[str, JsonValue]) -> ToolCall:
        name = deed(contract, arguments)
        occurrence = self._deeds.first_free(name)
        self._deeds = self._deeds.take(name, occurrence)
        info = workflow.info()
        return ToolCall(
            id=call_id,
            contract=contract,
            arguments=arguments,
            tenant=self._run.request.tenant,
            occurrence=occurrence,
            in_doubt=self._deeds.in_doubt(name, occurrence),
            effect_key=effect_key(
                namespace=info.namespace,
                tenant=self._run.request.tenant,
                workflow_id=info.workflow_id,
                tool=contract.name,
                identity=identifying(arguments, contract.identity),
                occurrence=occurrence,
            ),
        )

    def _give_back(self, call: ToolCall) -> None:
        self._deeds = self._deeds.give_back(deed(call.contract, call.arguments), call.occurrence)

    async def _execute(self, call: ToolCall) -> str:
        patience, activity_id = Patience(self._run), None
        while True:
            window = self._run.within(policies.TOOL_WINDOW)
            self._in_flight[call.id] = call
            try:
                result = await self._activity(call, window, activity_id)
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                unmade = tool_words.unmade(error)
                if unmade is None:
                    return await self._failed(call, error)
                call, activity_id = await self._waited(call, unmade, patience, error), error.activity_id
            else:
                del self._in_flight[call.id]
                if patience.tried:
                    await outages.over(self._run)
                return await self._succeeded(call, result)

    async def _waited(self, call: ToolCall, unmade: CallFailed, patience: Patience, error: ActivityError) -> ToolCall:
        """The call as it is to be made once the store may be back: under its activity's id, and so its own claim."""
        if not unmade.maybe_done:
            del self._in_flight[call.id]
        try:
            await patience.wait(f"a call of {call.contract.name} could not be claimed", error)
            self._run.heed_end()
        except ApplicationError:
            if unmade.maybe_done:
                await self._run.tell(tool_words.unknown_outcome(self._run, call, unmade.message))
            raise
        self._run.enter(Phase.ACTING)
        return call.model_copy(update={"in_doubt": unmade.maybe_done, "earlier_attempts": unmade.unmade - 1})

    async def _failed(self, call: ToolCall, error: ActivityError) -> str:
        del self._in_flight[call.id]
        if tool_words.may_have_happened(call, error):
            self._deeds = self._deeds.doubt(deed(call.contract, call.arguments), call.occurrence)
        return await tool_words.failed(self._run, call, error)

    async def _activity(self, call: ToolCall, window: timedelta, activity_id: str | None) -> ToolResult:
        limits = call.contract
        result: ToolResult = await workflow.execute_activity(
            f"tool.{limits.name}",
            call.model_copy(update={"contract": limits.terms}),
            activity_id=activity_id,
            result_type=ToolResult,
            start_to_close_timeout=limits.span + policies.TOOL_OVERHEAD,
            schedule_to_close_timeout=window,
            heartbeat_timeout=self._run.profile.heartbeat,
            retry_policy=policies.TOOL_RETRY,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=tool_words.summary(call),
        )
        return result

    async def _succeeded(self, call: ToolCall, result: ToolResult) -> str:
        run = self._run
        self._deeds = self._deeds.finish(deed(call.contract, call.arguments), call.occurrence)
        run.state = run.state.model_copy(update={"tools_called": (*run.state.tools_called, call.contract.name)})
        run.note(f"{call.contract.name}: {'replayed' if result.replayed else 'done'}")
        await outages.unsettled(run, result.unsettled)
        await guard_news.transitions(run, result.transitions)
        run.offer(result.offers)
        return as_text(result.content)
