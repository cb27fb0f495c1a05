#!/bin/sh
# What a run finds around it, as name=value lines.
cat "$PENNY_MESSAGE" > /dev/null && echo message=readable
[ "$(dirname "$PENNY_MESSAGE")" = /ws/cur ] && echo message=cur
[ -z "$PENNY_ATTACHMENTS" ] || cat "$PENNY_ATTACHMENTS"/*
echo oom="$(cat /proc/self/oom_score_adj)"
echo who="$(whoami)" uid="$(id -u)" host="$(hostname)" home="$HOME" cwd="$(pwd)" root="${PENNY_ROOT-none}"
for place in /ws /ws/new /ws/cur /ws/done /ws/outbox /ws/home /tmp /dev/shm; do
  if ( : > "$place/w" ) 2> /dev/null; then rm "$place/w"; echo "writable=$place"; fi
done
for place in /ws/sent /ws/attachments /ws/runs /org/report/new /org/report/cur /org/report/done; do
  ls "$place" > /dev/null && echo "readable=$place"
  ( : > "$place/w" ) 2> /dev/null && echo "bad: wrote $place"
done
echo org="$(ls /org | tr '\n' ' ')" of="$(ls /org/report | tr '\n' ' ')"
cat ROLE.md AGENTS.md CLAUDE.md > /dev/null && echo guides=readable
printf 'x' > /ws/new/plain && mv /ws/new/plain /ws/cur/plain && mv /ws/cur/plain /ws/done/plain && rm /ws/done/plain && echo renames=work
echo second="$2"; "$2" && echo second=started
python3 -c 'print("python=works")'
/opt/runners/node.mjs
penny tasks --json > /dev/null && echo tasks=ok
penny show "$PENNY_ID" > /dev/null && echo show=ok
echo hello | penny send report -s from-inside -a ROLE.md > /dev/null && echo send=ok
penny next > /ws/home/next 2>&1; echo next=$?
penny settle "$PENNY_ID" done -m 'all seen' > /dev/null && echo settle=ok
