"""The only keys that the sinks know. They open nothing else."""

import base64

PAGERDUTY = "simulatorsimulatorsimulatorsimul"
"""Real ones have 32 characters too."""
OPSGENIE = "simulator-genie-key"
SLACK = "services/TSIMULATOR/BSIMULATOR/simulatorsimulatorsimula"
"""The path of the webhook, with its token at the end."""
SIGNING = b"the simulator's secret for webhooks"
WEBHOOK = f"whsec_{base64.b64encode(SIGNING).decode()}"
