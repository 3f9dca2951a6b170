"""A slot every second: `python -m tests.support.mini_schedule FOLDER SHELL_COMMAND [KEY=VALUE]`."""

import sys
from pathlib import Path

from apscheduler.triggers.cron import CronTrigger

from pipeline.config.load import load
from pipeline.notify.untold import watch
from pipeline.schedule.cron import Slots
from pipeline.schedule.json_log import log_to_stdout
from pipeline.schedule.schedule import Job, keep

if __name__ == "__main__":
    folder, command = Path(sys.argv[1]), sys.argv[2]
    config = load("smoke", sys.argv[3:])
    slots = Slots(CronTrigger(second="*", timezone="UTC"))
    log_to_stdout()
    failures = watch(config, "smoke", folder, command)
    job = Job(["sh", "-c", command], config.schedule, slots, folder, failures)
    sys.exit(128 + keep(job))
