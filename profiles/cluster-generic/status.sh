#!/bin/sh
# Says how a job of Slurm is: running, success or failed. A job that Slurm has forgotten ended long ago.
state=$(squeue --noheader --states=all --format=%T --jobs="$1" 2>/dev/null)
case "$state" in
    COMPLETED) echo success ;;
    PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED | REQUEUED | RESIZING | PREEMPTED) echo running ;;
    *) echo failed ;;
esac
