#!/bin/sh
# handle.sh [WORD...] - reads a message and answers it, with arithmetic instead of a model.
#
# Given:   the message on standard input (or the file $PENNY_MESSAGE), its id in $PENNY_ID,
#          the working directory home/. WORD...: beginnings of the words this desk looks for.
# Prints:  the reply, in Markdown: what is left open, what is asked, which dates and amounts
#          it found, where the desk's words stand. The same message gives the same reply.
# Keeps:   one line per message in home/handled.md.
# Exit:    0 the task is done · 66 no message · anything else is a failed attempt.
#
# Needs a POSIX shell, coreutils and any awk. Numbers of lines count from the body's first line.
set -u
LC_ALL=C
export LC_ALL

message=$(cat)
if [ -z "$message" ] && [ -r "${PENNY_MESSAGE:-}" ]; then message=$(cat "$PENNY_MESSAGE"); fi
if [ -z "$message" ]; then
  echo 'handle.sh: no message on standard input or in $PENNY_MESSAGE' >&2
  exit 66
fi

# Names, sizes and lines of what came with the message. Names are a sender's: only printable ones are shown.
attachments=''
for file in ../attachments/"${PENNY_ID:-none}"/*; do
  [ -f "$file" ] || continue
  name=$(printf '%s' "${file##*/}" | tr -d '\000-\037\177')
  attachments="$attachments- $name: $(wc -c < "$file" | tr -d ' ') bytes, $(wc -l < "$file" | tr -d ' ') lines
"
done

reply=$(printf '%s\n' "$message" | WORDS="$*" ATTACHMENTS="$attachments" awk '
  function clean(s) { gsub(/[\001-\010\013-\037\177]/, "", s); gsub(/\t/, " ", s); return s }
  function bare(s) { sub(/^ +/, "", s); sub(/ +$/, "", s); return s }
  # At most 120 bytes, never half a character.
  function cut(s) {
    s = bare(s)
    if (length(s) <= 120) return s
    s = substr(s, 1, 120)
    sub(/[\300-\377][\200-\277]*$/, "", s)
    return s "..."
  }
  function count(n, one, many) { return n " " (n == 1 ? one : many) }
  function unquoted(s) { if (s ~ /^".*"$/ || s ~ /^\047.*\047$/) s = substr(s, 2, length(s) - 2); return s }

  # 12,500.00 and 12.500,00 and 12500 are one amount: the last separator is the decimal one, unless three digits follow it.
  function number(s,   whole, cents, i, c, last) {
    sub(/[.,]+$/, "", s)
    last = 0
    for (i = length(s); i > 0; i--) { c = substr(s, i, 1); if (c == "." || c == ",") { last = i; break } }
    whole = s; cents = ""
    if (last > 0 && (length(s) - last != 3 || (index(s, ".") > 0 && index(s, ",") > 0))) { whole = substr(s, 1, last - 1); cents = substr(s, last + 1) }
    gsub(/[.,]/, "", whole); gsub(/[.,]/, "", cents)
    return (whole "." cents) + 0
  }
  function currency(s) {
    if (s ~ /EUR|\342\202\254/) return "EUR"
    if (s ~ /USD|\$/) return "USD"
    if (s ~ /GBP|\302\243/) return "GBP"
    return "CHF"
  }
  function amounts(s, at,   found, digits, c) {
    while (match(s, /(EUR|USD|GBP|CHF|\342\202\254|\302\243|\$) ?[0-9][0-9.,]*|[0-9][0-9.,]* ?(EUR|USD|GBP|CHF|\342\202\254|\302\243)/)) {
      found = substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH)
      digits = found; gsub(/[^0-9.,]/, "", digits)
      c = currency(found)
      if (!(c in sum)) currencies[++kinds] = c
      sum[c] += number(digits)
      amount[++sums] = sprintf("%s %.2f (line %d)", c, number(digits), at)
    }
  }
  function dates(s, at,   found, part) {
    while (match(s, /[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]/)) {
      found = substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH)
      split(found, part, "-")
      if (part[2] + 0 < 1 || part[2] + 0 > 12 || part[3] + 0 < 1 || part[3] + 0 > 31) continue
      date[++days] = found " (line " at ")"
      if (first == "" || found < first) first = found
      if (found > last_day) last_day = found
    }
  }
  function section(title, items, n,   i) {
    if (n == 0) return
    printf "\n## %s\n", title
    for (i = 1; i <= n && i <= 20; i++) print "- " items[i]
    if (n > 20) print "- and " (n - 20) " more"
  }

  BEGIN { wanted = split(ENVIRON["WORDS"], word, " ") }
  { sub(/\r$/, ""); if (NR == 1) sub(/^\357\273\277/, "") }
  NR == 1 && $0 == "---" { front = 1; next }
  front && $0 == "---" { front = 0; next }
  front {
    if (match($0, /^(subject|from|priority|due|kind):/)) {
      key = substr($0, 1, RLENGTH - 1)
      value[key] = clean(unquoted(bare(substr($0, RLENGTH + 1))))
    }
    next
  }
  {
    at++
    text = clean($0)
    if (text ~ /^ *```/) { fence = !fence; next }
    words += NF
    if (text ~ /[^ ]/) lines++
    if (!fence && text ~ /^#+ /) { sub(/^#+ +/, "", text); heading[++headings] = cut(text); next }
    if (!fence && text ~ /^ *[-*+] \[ \]/) { box = text; sub(/^ *[-*+] \[ \] */, "", box); open[++boxes] = cut(box) " (line " at ")" }
    if (!fence && text ~ /^ *[-*+] \[[xX]\]/) ticked++
    if (text ~ /\? *$/) asked[++questions] = cut(text) " (line " at ")"
    dates(text, at)
    amounts(text, at)
    low = " " tolower(text)
    gsub(/[^a-z0-9\200-\377]/, " ", low)
    for (i = 1; i <= wanted; i++) if (index(low, " " tolower(word[i]))) { if (!(i in seen)) seen[i] = at; hits[i]++ }
  }
  END {
    subject = value["subject"] != "" ? value["subject"] : heading[1]
    printf "Read %s%s: %s in %s, %s.\n", (subject == "" ? "the message" : "\"" cut(subject) "\""), (value["from"] == "" ? "" : " from " value["from"]), count(words + 0, "word", "words"), count(lines + 0, "line", "lines"), count(headings + 0, "heading", "headings")

    for (i = 1; i <= wanted; i++) if (i in seen) { named[++topics] = word[i] ": on " count(hits[i], "line", "lines") ", first on line " seen[i]; list = list (list == "" ? "" : ", ") word[i] }
    if (words == 0) verdict = "The message has no text; there is nothing to do."
    else if (boxes + questions == 0) verdict = "Nothing is left open."
    else verdict = "Left open: " (boxes ? count(boxes, "box", "boxes") : "") (boxes && questions ? " and " : "") (questions ? count(questions, "question", "questions") : "") "."
    if (list != "") verdict = verdict " It concerns this desk: " list "."
    else if (wanted && words) verdict = verdict " None of the words this desk looks for is in it."
    if (value["due"] != "") verdict = verdict " Due " value["due"] "."
    if (first != "") verdict = verdict (first == last_day ? " Its only date is " first "." : " Its dates run from " first " to " last_day ".")
    for (i = 1; i <= kinds; i++) verdict = verdict sprintf(" %s %.2f in all.", currencies[i], sum[currencies[i]])
    printf "\n**Concluded:** %s\n", verdict

    section("Outline", heading, headings)
    section("Open boxes (" (ticked + 0) " of " (boxes + ticked) " ticked)", open, boxes)
    section("Questions", asked, questions)
    section("Dates", date, days)
    section("Amounts", amount, sums)
    section("This desk looks for", named, topics)
    if (ENVIRON["ATTACHMENTS"] != "") printf "\n## Attachments\n%s", ENVIRON["ATTACHMENTS"]
  }
') || exit 1
printf '%s\n' "$reply"

# A run may come twice for one message (a crash in between); its line is written once. The list is a convenience: no reason to fail.
if [ -n "${PENNY_ID:-}" ] && ! grep -qsFe "$PENNY_ID" handled.md; then
  concluded=$(printf '%s\n' "$reply" | sed -n 's/^\*\*Concluded:\*\* //p')
  printf -- '- %s: %s\n' "$PENNY_ID" "$concluded" 2>/dev/null >> handled.md || echo 'handle.sh: home/handled.md cannot be written' >&2
fi
