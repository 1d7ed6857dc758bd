#!/bin/sh
# Rebuilds examples/speech: needs the programs espeak-ng and ffmpeg, which triscribe itself never uses.
set -eu
cd "$(dirname "$0")"
mkdir -p speech
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT

# say PART VOICE WORDS_PER_MINUTE WORD_GAP TEXT: letters are given singly, so that they are named
say() {
    espeak-ng -v "$2" -s "$3" -g "$4" -w "$parts/$1.wav" "$5"
}

# level FILE_IN OUTPUT_OPTIONS... FILE_OUT: peak at about -6 dBFS, 0.2 s of quiet on both sides
level() {
    peak=$(ffmpeg -hide_banner -i "$1" -af volumedetect -f null - 2>&1 | sed -n 's/.*max_volume: \(.*\) dB/\1/p')
    gain=$(awk "BEGIN { print -6 - ($peak) }")
    from=$1
    shift
    ffmpeg -loglevel error -y -i "$from" -map_metadata -1 -bitexact \
        -af "volume=${gain}dB,adelay=200:all=1,apad=pad_dur=0.2" "$@"
}

# transcript NAME TEXT
transcript() {
    echo "$2" > "speech/$1.txt"
}

say digits en-us 140 3 "seven four one two"
level "$parts/digits.wav" -ar 16000 -ac 1 speech/digits.wav
transcript digits "SEVEN FOUR ONE TWO"

say date en-us+f3 150 1 "july twenty fourth nineteen sixty two"
level "$parts/date.wav" -ar 16000 -ac 1 speech/date.flac
transcript date "JULY TWENTY FOURTH NINETEEN SIXTY TWO"

say city en-us+m3 130 6 "P, I, T, T, S, B, U, R, G, H"
level "$parts/city.wav" -ar 44100 -ac 2 -b:a 96k speech/city.mp3
transcript city "P I T T S B U R G H"

say enter en-gb 160 2 "enter six two"
level "$parts/enter.wav" -ar 8000 -ac 1 speech/enter.wav
transcript enter "ENTER SIX TWO"

say rubout en-us+f2 135 5 "rubout, G, M, E, F, three nine"
level "$parts/rubout.wav" -ar 44100 -ac 1 -b:a 64k speech/rubout.m4a
transcript rubout "RUBOUT G M E F THREE NINE"

say stop en-gb+f4 120 2 "stop"
level "$parts/stop.wav" -ar 16000 -ac 2 speech/stop.wav
transcript stop "STOP"

say phone en-us+m1 170 1 "four one two, two six eight, seven six seven five"
level "$parts/phone.wav" -ar 8000 -ac 1 -b:a 24k speech/phone.mp3
transcript phone "FOUR ONE TWO TWO SIX EIGHT SEVEN SIX SEVEN FIVE"

say name en-gb+m2 125 6 "M, A, R, G, A, R, E, T"
level "$parts/name.wav" -ar 16000 -ac 1 -b:a 24k speech/name.ogg
transcript name "M A R G A R E T"

# A longer recording: ten utterances with pauses of 0.8 seconds between them.
number=0
dictation=""
: > "$parts/list"
while read -r text; do
    number=$((number + 1))
    say "u$number" en-us+m4 130 5 "$text"
    ffmpeg -loglevel error -y -i "$parts/u$number.wav" -af apad=pad_dur=0.8 "$parts/p$number.wav" < /dev/null
    echo "file p$number.wav" >> "$parts/list"
    dictation="$dictation $(echo "$text" | tr -d , | tr '[:lower:]' '[:upper:]')"
done << 'END'
start
enter four five one
may third nineteen fifty eight
J, O, H, N, S, O, N
repeat
five five five, zero one nine eight
W, A, L, N, U, T, street
yes
rubout, T, K, eight one
go
END
ffmpeg -loglevel error -y -f concat -i "$parts/list" "$parts/dictation.wav"
level "$parts/dictation.wav" -ar 16000 -ac 1 -b:a 32k speech/dictation.m4a
transcript dictation "${dictation# }"

say video en-us+f3 140 3 "repeat six zero nine"
level "$parts/video.wav" -ar 44100 -ac 2 "$parts/loud.wav"
ffmpeg -loglevel error -y -f lavfi -i "color=c=navy:s=160x120:r=10" -i "$parts/loud.wav" -shortest \
    -map_metadata -1 -bitexact -pix_fmt yuv420p -c:a aac -b:a 64k speech/video.mp4
transcript video "REPEAT SIX ZERO NINE"
