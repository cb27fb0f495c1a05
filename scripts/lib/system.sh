# What `scripts/setup system` and `scripts/setup unit` do; read by scripts/setup, in pennypost's own folder, which gives say, fail and quietly.
# shellcheck shell=sh

UNIT=/etc/systemd/system/pennypost.service
LINK=/usr/local/bin/penny
# What can stand in a unit file, in sed and in a command to paste as it is.
ODD='*[!A-Za-z0-9/._+-]*'

root=/var/lib/pennypost service=no

# refuse STATUS SENTENCE COMMAND
refuse() {
  printf 'setup: %s\nfix: %s\n' "$2" "$3" >&2
  exit "$1"
}

take_options() {
  what=$1
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --root=*) root=${1#--root=} ;;
      --root)
        [ $# -gt 1 ] || fail 64 '--root needs a folder'
        root=$2
        shift
        ;;
      --service)
        [ "$what" = system ] || fail 64 '--service belongs to scripts/setup system'
        service=yes
        ;;
      *) fail 64 "scripts/setup $what does not know $1" ;;
    esac
    shift
  done
  case $root in
    /*) root=$(realpath -m -- "$root") ;;
    *) fail 64 "--root must be a path that begins with /, but is $root" ;;
  esac
  for path in "$root" "$PWD"; do
    # shellcheck disable=SC2254 # a pattern
    case $path in
      $ODD) fail 64 "the path $path must be of letters, digits and / . _ + - alone, for a unit file has it" ;;
    esac
  done
}

need_right_system() {
  # shellcheck disable=SC1091 # of the machine it runs on
  system=$(. /etc/os-release 2>/dev/null && printf '%s' " ${ID:-} ${ID_LIKE:-} :${PRETTY_NAME:-$ID}") || system=' :no system with an /etc/os-release'
  case ${system%%:*} in
    *' debian '* | *' ubuntu '*) ;;
    *)
      refuse 69 "this is ${system#*:}, and scripts/setup system knows only Debian and Ubuntu; elsewhere install bubblewrap (0.5 or newer) and util-linux by hand, \
and the service, where systemd runs, with scripts/setup unit --root $root >$UNIT" \
        "scripts/setup run && sudo ln -s $PWD/dist/cli/penny.js $LINK && sudo penny init $root && sudo penny up --detach --root $root"
      ;;
  esac
  [ "$(id -u)" = 0 ] || refuse 77 'packages, /usr/local/bin and system folders belong to root' "sudo $(again "$root")"
}

# again ROOT: the command that was given, for another try.
again() {
  [ "$service" = no ] && echo "scripts/setup system --root $1" || echo "scripts/setup system --root $1 --service"
}

# path_fault PATH: says what is wrong on the way from / to there; an agent must get there, and nobody but root may change it.
path_fault() {
  rest=$1
  while :; do
    # shellcheck disable=SC2046 # three words
    set -- $(stat -L -c '%u %g %A' "$rest")
    case $1:$2:$3 in
      [!0]*) echo "$rest belongs to uid $1" && return ;;
      0:*:?????w???[tT]) ;;
      0:[!0]*:?????w????) echo "$rest may be written by its group" && return ;;
      0:*:????????w?) echo "$rest may be written by everybody" && return ;;
    esac
    case $3 in
      *[xt]) ;;
      *) echo "$rest may not be entered by everybody" && return ;;
    esac
    [ "$rest" != / ] || return 0
    rest=$(dirname "$rest")
  done
}

# The daemon runs this as root, and agents run `penny`: whoever may change it would be root.
check_program() {
  fault=$(path_fault "$PWD")
  [ -n "$fault" ] || fault=$(find scripts dist node_modules package.json ! -type l \( ! -user 0 -o -perm /002 -o -perm /020 ! -group 0 \) -print 2>/dev/null |
    sed -n "1s|^|$PWD/|;1s|\$| is not root's alone|p")
  if [ -n "$fault" ]; then
    case $PWD in
      /opt/pennypost) mend='sudo chown -R 0:0 /opt/pennypost' ;;
      *) mend="sudo cp -rT --preserve=timestamps $PWD /opt/pennypost" ;;
    esac
    refuse 1 "root would run what others can change, or agents could not: $fault" \
      "$mend && sudo chmod -R go-w,a+rX /opt/pennypost && cd /opt/pennypost && sudo $(again "$root")"
  fi
  node=$(node -p process.execPath)
  fault=$(path_fault "$node")
  [ -z "$fault" ] || refuse 1 "root and agents would run this Node, but $fault" \
    "sudo cp $node /usr/local/bin/node && sudo chmod 0755 /usr/local/bin/node && sudo env PATH=/usr/local/bin:\$PATH $(again "$root")"
}

# As an agent's run is started; only a real one tells whether it can be.
try_jail() {
  why='no jail can be started, and without one no agent is run'
  options=$(bwrap --help 2>&1 || :)
  case $options in
    *--perms*) ;;
    *) refuse 1 "$why: $(bwrap --version) is too old; 0.5 is needed, which Debian 12 and Ubuntu 22.04 have" 'sudo apt-get install bubblewrap   # after an upgrade of the system' ;;
  esac
  # Before 0.8 the daemon's own filter does what this option does.
  case $options in *--disable-userns*) nested=--disable-userns ;; *) nested= ;; esac
  # shellcheck disable=SC2086 # nothing, or one word
  if said=$(cd / && setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
    bwrap --unshare-user $nested --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup-try --unshare-net --new-session --die-with-parent \
    --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin --proc /proc --dev /dev --tmpfs /tmp true 2>&1); then
    return
  fi
  # Ubuntu since 23.10: only programs with a profile may make user namespaces. This one is Ubuntu's own, and lets bubblewrap alone.
  if [ "$(kernel kernel/apparmor_restrict_unprivileged_userns)" = 1 ]; then
    profile=bwrap-userns-restrict
    refuse 1 "$why: AppArmor keeps user namespaces from bubblewrap (kernel.apparmor_restrict_unprivileged_userns=1); $said" \
      "sudo apt-get install apparmor-profiles && sudo install -m 0644 /usr/share/apparmor/extra-profiles/$profile /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/$profile"
  fi
  # Debian's own switch, and everybody's.
  for setting in kernel/unprivileged_userns_clone=1 user/max_user_namespaces=15000; do
    key=${setting%=*}
    [ "$(kernel "$key")" != 0 ] ||
      refuse 1 "$why: $(printf '%s' "$key" | tr / .)=0 keeps user namespaces from everybody but root; $said" \
        "echo $(printf '%s' "$setting" | tr / .) | sudo tee /etc/sysctl.d/60-pennypost.conf && sudo sysctl -p /etc/sysctl.d/60-pennypost.conf"
  done
  refuse 1 "$why: ordinary users get no user namespaces here, as in many containers; $said" \
    'setpriv --reuid=65534 --regid=65534 --clear-groups bwrap --unshare-user --unshare-pid --ro-bind / / --proc /proc true   # must end with 0'
}

kernel() { cat "/proc/sys/$1" 2>/dev/null || :; }

link_command() {
  [ "$(readlink "$LINK" || :)" != "$PWD/dist/cli/penny.js" ] || return 0
  [ -L "$LINK" ] || [ ! -e "$LINK" ] || refuse 73 "$LINK is there and no link" "sudo mv $LINK $LINK.before"
  ln -sfn "$PWD/dist/cli/penny.js" "$LINK"
  say "linked $LINK"
}

make_organisation() {
  [ ! -e "$root/policies/org.yaml" ] || return 0
  [ -z "$(ls -A "$root" 2>/dev/null)" ] || refuse 73 "$root is not empty, and holds no organisation" "ls -la $root   # then: sudo $(again "$root.new")"
  (umask 022 && mkdir -p "$root")
  fault=$(path_fault "$root")
  [ -z "$fault" ] || refuse 1 "nobody but root may change the way to an organisation, and its agents must get there, but $fault" "namei -l $root"
  # What it proposes to do next is not for who lets systemd start it.
  (umask 022 && quietly node --disallow-code-generation-from-strings dist/cli/penny.js init "$root") || fail 1 "penny init $root failed (see above)."
  say "made an organisation in $root; it is described in $root/policies"
}

print_unit() {
  node=$(node -p process.execPath)
  case ${node%/*} in
    /usr/local/bin | /usr/bin | /bin) path='' ;;
    *) path="${node%/*}:" ;;
  esac
  sed -e "s|/var/lib/pennypost|$root|g" -e "s|^\(ExecStart=\)/usr/bin/node |\1$node |" -e "s|^\(ExecStart=.*\) $LINK |\1 $PWD/dist/cli/penny.js |" \
    -e "s|^Environment=PATH=|&$path|" scripts/systemd/pennypost.service
}

install_service() {
  [ -d /run/systemd/system ] || refuse 69 'systemd does not run here, so there can be no service of it' "penny up --detach --root $root"
  case $root in
    /tmp/* | /var/tmp/*) refuse 1 "a service has a ${root%"${root#/*/}"} of its own, so $root would not be seen" "sudo $(again /srv/pennypost)" ;;
  esac
  before=$(cat "$UNIT" 2>/dev/null || :)
  unit=$(print_unit)
  if [ "$unit" != "$before" ]; then
    printf '%s\n' "$unit" >"$UNIT.new"
    chmod 0644 "$UNIT.new"
    mv "$UNIT.new" "$UNIT"
    systemctl daemon-reload
    say "installed $UNIT"
    # What runs already begins again with what it says now.
    systemctl try-restart pennypost
  fi
  quietly systemctl enable pennypost || refuse 1 'the service could not be enabled (see above)' 'systemctl status pennypost'
  systemctl start pennypost || refuse 1 'the service did not start' 'systemctl status pennypost; journalctl -u pennypost -n 20'
}

set_up_system() {
  check_program
  try_jail
  link_command
  make_organisation
  [ "$service" = no ] || install_service
  next='penny up --detach'
  [ "$service" = no ] && ! node --disallow-code-generation-from-strings dist/cli/penny.js status --root "$root" >/dev/null 2>&1 || next='penny status'
  say "ready: $next --root $root"
}
