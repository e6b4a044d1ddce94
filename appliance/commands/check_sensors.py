"""`rehabbox check-sensors`: a short guided movement, and which two sensors sit on each other's place."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands.output import json_option, print_json
from appliance.commands.seconds import Seconds
from appliance.errors import SettingsError
from appliance.settings import load_settings
from hal.exchange import GUIDE, Finding, Step

_BLIND = "Sensors that move together (of one arm; calf and foot) and those on head and trunk cannot be told apart."


@click.command()
@click.option("--settings", "file", type=click.Path(path_type=Path), help="As for `rehabbox run`.")
@click.option("--step", "step_s", type=Seconds(0.5, 30), default=5.0, show_default=True, help="Seconds a step.")
@json_option
def check_sensors(file: Path | None, step_s: float, as_json: bool) -> int:
    """Find exchanged sensors by a movement in six steps, sitting; exit status 1 if there are any or it cannot be told.

    Instructions appear on stderr; the box's light and loudspeaker say when a step begins.

    \b
    Example:
      rehabbox check-sensors --settings /etc/rehabbox/settings.toml
    """
    settings = load_settings(file)
    if settings.imu is None:
        raise SettingsError("there is no [imu] in the settings, hence no sensor to check")
    from appliance.sensor_check import guide, hear
    from hal.recovering_indicator import RecoveringIndicator
    from hal.registry import build_imu, build_indicator
    from hal.types import Cue

    imu, indicator = build_imu(settings.imu), RecoveringIndicator(build_indicator(settings.indicator))

    def rest(number: int, step: Step) -> None:
        indicator.show(Cue("ready", detail={"step": step.name}))
        click.echo(f"{number} of {len(GUIDE)}: get ready to {step.name}", err=True)

    def go(number: int, step: Step) -> None:
        indicator.show(Cue("recording", detail={"step": step.name}))
        click.echo(f"{number} of {len(GUIDE)}: now {step.name}", err=True)

    try:
        imu.open()
        indicator.open()
        heard = hear(imu)
        if heard.fault:
            finding = Finding(reason=heard.fault)
        else:
            click.echo("Sit on a chair, feet on the floor, arms hanging.", err=True)
            finding = guide(imu, rest, go, step_s)
        indicator.show(Cue("done", detail={"step": GUIDE[-1].name}) if finding.right else Cue("fault"))
    finally:
        indicator.close()
        imu.close()
    if as_json:
        print_json({"right": finding.right, "exchanged": finding.exchanged, "reason": finding.reason or None})
    else:
        click.echo(f"{_said(finding, len(heard.segments))}\n{_BLIND}")
    return 0 if finding.right else 1


def _said(finding: Finding, sensors: int) -> str:
    if finding.right:
        return f"No exchange found among {sensors} sensors."
    if finding.reason:
        return f"Cannot tell: {finding.reason}."
    pairs = "; ".join(f"{one} and {other}" for one, other in finding.exchanged)
    return f"Exchanged: {pairs}. Put each where the other sits, and check again."
