# shellcheck shell=bash
#
# Writing JSON without a program for it. An object is put together in OUT; a value is handed back in REPLY.

# Sets REPLY to a JSON string. Control characters that JSON has no short form for become question marks.
json_string() {
  REPLY=$1
  REPLY=${REPLY//\\/"\\\\"}
  REPLY=${REPLY//\"/"\\\""}
  REPLY=${REPLY//$'\n'/"\\n"}
  REPLY=${REPLY//$'\r'/"\\r"}
  REPLY=${REPLY//$'\t'/"\\t"}
  REPLY=${REPLY//[[:cntrl:]]/?}
  REPLY="\"$REPLY\""
}

# Appends `"NAME":"VALUE"` to the object in OUT.
put() {
  json_string "$2"
  OUT+="${OUT:+,}\"$1\":$REPLY"
}

# Appends `"NAME":VALUE`, with VALUE as it is, to the object in OUT.
put_raw() {
  OUT+="${OUT:+,}\"$1\":$2"
}

# Sets REPLY to a JSON list of the JSON values on standard input, one a line.
json_list() {
  local line list=
  while IFS= read -r line; do
    [[ -z $line ]] || list+="${list:+,}$line"
  done
  REPLY="[$list]"
}

# Sets REPLY to a JSON list of strings.
json_strings() {
  local value list=
  for value in "$@"; do
    json_string "$value"
    list+="${list:+,}$REPLY"
  done
  REPLY="[$list]"
}
