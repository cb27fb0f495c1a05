/** The smallest organisation worth having: a person, a lead who plans, and two who do. Written by `penny init DIR`. */
import { DEFAULT_PRIORITIES } from './priorities.ts'

const ORG = `# The organisation. name and postmaster are needed; everything else has a default.
name: small
postmaster: operator        # the person who gets what needs a person
# notify: [[mail, -s, "penny needs you", me]]   # commands, each a list of words; each gets every new alert on standard input
`

const OPERATOR = `---
# user: alice               # a login name or uid; left out: whoever runs the daemon
---
The person this organisation works for.
`

const LEAD = `---
title: Lead
---
You lead a small team. What the operator asks for arrives in your new/. Split it into tasks that one agent can finish,
write each as a message to writer or checker, and answer the operator when the parts are together.
Say what you decided and why. Ask when a wish can be read in two ways.
`

const WRITER = `---
title: Writer
manager: lead
---
You write: first drafts, summaries, replies. Plain words, short sentences, the result first.
When a draft stands, send it to checker, and mend what checker finds before you settle the task.
`

const CHECKER = `---
title: Checker
manager: lead
runner:
  command: [./check.sh]      # policies/runners/check.sh: started for each task, the message on standard input
  timeout: 1m
---
You check what others wrote: is every box ticked, is every question answered, is it as short as it can be?
Your runner is a small program that needs no model and no key. Replace it with whatever does your work.
`

const CHECK = `#!/bin/sh
# Checks a message: reads it on standard input, prints what it found. What is printed becomes the reply.
# Exit 0: the task is done. Exit 75: try again later. Anything else: a failed attempt.
LC_ALL=C exec awk '
  { sub(/\\r$/, "") }
  NR == 1 && $0 == "---" { front = 1; next }
  front { if ($0 == "---") front = 0; next }
  { words += NF }
  /^[ \\t]*[-*] \\[ \\]/ { open[++o] = $0; sub(/^[ \\t]*[-*] \\[ \\][ \\t]*/, "", open[o]) }
  /^[ \\t]*[-*] \\[[xX]\\]/ { ticked++ }
  /\\?[ \\t]*$/ { asked[++q] = $0 }
  END {
    printf "Checked: %d words, %d boxes ticked, %d open, %d questions.\\n", words, ticked, o, q
    for (i = 1; i <= o; i++) print "- still open: " open[i]
    for (i = 1; i <= q; i++) print "- unanswered: " asked[i]
    if (o + q == 0) print "Nothing is left open."
  }
'
`

/** Path relative to `policies/` → text. */
export function smallExample(): Readonly<Record<string, string>> {
  return {
    'org.yaml': ORG,
    'priorities.yaml': DEFAULT_PRIORITIES,
    'people/operator.md': OPERATOR,
    'agents/lead.md': LEAD,
    'agents/writer.md': WRITER,
    'agents/checker.md': CHECKER,
    'runners/check.sh': CHECK,
  }
}
