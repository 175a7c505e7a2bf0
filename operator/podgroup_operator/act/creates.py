"""Creates carried out. An unknown outcome is left to the next look, which repeats the same create by the same name."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from functools import partial

from podgroup_operator.act.progress import Progress
from podgroup_operator.act.slow_start import start_slowly
from podgroup_operator.act.template import judgement, stray
from podgroup_operator.api.cluster import Cluster, pods_path
from podgroup_operator.api.refusals import CONFLICT, INVALID, NOT_FOUND, SERVER_ERROR, NotLeading, Refused, Unreachable
from podgroup_operator.api.wire.metadata import version_of
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.api.writer import Writer
from podgroup_operator.core import names
from podgroup_operator.core.manifest import Manifest, pod_manifest
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.plan import Failure
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.observe.groups import Group


class Creating:
    """The creates of one plan."""

    def __init__(self, group: Group, cluster: Cluster, writer: Writer, progress: Progress) -> None:
        self._group = group
        self._desired = group.desired
        self._cluster = cluster
        self._writer = writer
        self._progress = progress

    async def carry_out(self, creates: Sequence[Create], lives: Awaitable[bool]) -> None:
        """Create, unless that is of no use any more.

        Args:
            creates: what to create.
            lives: whether anything may be created, for the owner is known to live.
        """
        trouble = any(self._progress.in_trouble(lane) for lane in {Lane.CREATE, *(each.lane for each in creates)})
        if not trouble and not self._progress.fenced:
            await start_slowly(creates, partial(self._create, lives))

    async def _create(self, lives: Awaitable[bool], create: Create) -> bool:
        """Create a pod, if the owner lives; False stops the batches."""
        manifest = pod_manifest(self._desired, self._group.template_of(create.revision), create)
        return await lives and await self._send(create, manifest)

    async def _send(self, create: Create, manifest: Manifest) -> bool:
        """Send a create; False stops the batches."""
        again = self._progress.written.sending(create)
        try:
            body = await self._writer.create(pods_path(self._desired.namespace), manifest)
        except NotLeading:
            self._progress.written.not_done(create, again=again)
            self._progress.fenced = True
            return False
        except Refused as refusal:
            if refusal.code < SERVER_ERROR:
                self._progress.written.not_done(create, again=again)
            if refusal.code == CONFLICT and refusal.reason == "AlreadyExists":
                return await self._name_taken(create, refusal)
            self._create_refused(create, refusal)
            return False
        except Unreachable as error:
            self._progress.written.unsure = True
            self._progress.failed(create.lane, names.REASON_CREATE_FAILED, "Error creating", error)
            return False
        self._progress.memory.answered(create, read_pod(body))
        self._progress.accepted(create.lane, version=version_of(body))
        if lost := stray(self._desired, body):
            self._strayed(create, lost)
            return False
        self._progress.created.append(replace(create, took=self._progress.monotonic() - self._progress.began))
        if create.loss:
            self._progress.memory.seen.made_good(create.loss)
        return True

    def _strayed(self, create: Create, lost: Refusal) -> None:
        """Note that a pod that we made is none of the group's: something has changed it on its way to the store."""
        message = f"Created pod {create.name}, which is not the group's. {lost.message}"
        self._progress.failures.append(Failure(names.REASON_CREATE_FAILED, message))
        self._progress.written.strayed(self._desired.revision, lost, self._progress.monotonic())

    def _create_refused(self, create: Create, refusal: Refused) -> None:
        if "NamespaceTerminating" in refusal.causes:  # as upstream: nothing can be made here, and nobody is at fault
            self._progress.held_up(create.lane, refusal, "The namespace is being deleted.")
            return
        if refusal.code >= SERVER_ERROR:  # it may have been done all the same
            self._progress.written.unsure = True
        self._progress.failed(create.lane, names.REASON_CREATE_FAILED, "Error creating", refusal)
        ours = create.revision == self._desired.revision and not self._progress.written.refuses_another(create.revision)
        if refusal.code in INVALID and ours and not self._is_proved(create.lane):
            self._progress.written.judge(self._desired.revision, judgement(refusal), self._progress.monotonic())

    def _is_proved(self, lane: Lane) -> bool:
        """Tell whether pods of this template are accepted: then what was refused is this pod, not the template."""
        pods = self._progress.memory.seen.pods.values()
        return self._progress.has_accepted(lane) or any(pod.revision == self._desired.revision for pod in pods)

    async def _name_taken(self, create: Create, refusal: Refused) -> bool:
        """Find out whose pod has the name: ours means that it is made already, a stranger's that we need another."""
        try:
            body = await self._cluster.get(pods_path(self._desired.namespace, create.name))
        except (Refused, Unreachable) as error:
            if isinstance(error, Refused) and error.code == NOT_FOUND:
                # It went meanwhile, or something says so of a name that nobody has: it is tried again, ever later.
                message = f"Error creating: {refusal.message}, but there is no such pod"
                self._progress.held_up(create.lane, refusal, message)
                return False
            self._progress.failed(create.lane, names.REASON_CREATE_FAILED, f"Error reading pod {create.name}", error)
            return False
        pod = read_pod(body)
        if pod and pod.controller == self._desired.uid:
            self._progress.written.wrote(version_of(body))
            self._progress.written.came(pod)
        else:
            self._progress.written.open.pop(create.name, None)
            self._progress.written.strangers.add(create.name)
        return True
