#!/bin/sh
# Rebuilds examples/speech. Needs the programs espeak-ng, flite and ffmpeg, none of which triscribe itself uses.
set -eu
cd "$(dirname "$0")"
mkdir -p speech
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT

# espeak PART VOICE WORDS_PER_MINUTE WORD_GAP TEXT
# Letters are separated by commas, so that each is spoken by its name.
espeak() {
    espeak-ng -v "$2" -s "$3" -g "$4" -w "$parts/$1.wav" "$5"
}

# flite_say PART VOICE TEXT
flite_say() {
    flite -voice "$2" --setf duration_stretch=1.12 -t "$3" -o "$parts/$1.wav"
}

# level FILE_IN OUTPUT_OPTIONS... FILE_OUT: peak at about -6 dBFS, 0.2 s of silence on both sides
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

espeak digits en-us 140 3 "seven four one two"
level "$parts/digits.wav" -ar 16000 -ac 1 speech/digits.wav
transcript digits "SEVEN FOUR ONE TWO"

flite_say postcode rms "five five five, zero one nine eight"
level "$parts/postcode.wav" -ar 16000 -ac 1 speech/postcode.flac
transcript postcode "FIVE FIVE FIVE ZERO ONE NINE EIGHT"

flite_say city awb "P, I, T, T, S, B, U, R, G, H"
level "$parts/city.wav" -ar 44100 -ac 2 -b:a 96k speech/city.mp3
transcript city "P I T T S B U R G H"

flite_say enter rms "enter six two"
level "$parts/enter.wav" -ar 8000 -ac 1 speech/enter.wav
transcript enter "ENTER SIX TWO"

flite_say rubout rms "rubout, T, K, eight one"
level "$parts/rubout.wav" -ar 44100 -ac 1 -b:a 64k speech/rubout.m4a
transcript rubout "RUBOUT T K EIGHT ONE"

espeak stop en-gb+f4 120 2 "stop"
level "$parts/stop.wav" -ar 16000 -ac 2 speech/stop.wav
transcript stop "STOP"

espeak phone en-us+m1 170 1 "four one two, two six eight, seven six seven five"
level "$parts/phone.wav" -ar 8000 -ac 1 -b:a 24k speech/phone.mp3
transcript phone "FOUR ONE TWO TWO SIX EIGHT SEVEN SIX SEVEN FIVE"

espeak name en-us+f5 135 4 "L, E, W, I, S"
level "$parts/name.wav" -ar 16000 -ac 1 -b:a 24k speech/name.ogg
transcript name "L E W I S"

espeak hard-date en-us+f3 150 1 "july twenty fourth nineteen sixty two"
level "$parts/hard-date.wav" -ar 16000 -ac 1 speech/hard-date.flac
transcript hard-date "JULY TWENTY FOURTH NINETEEN SIXTY TWO"

# A longer recording: ten utterances with pauses of 0.8 seconds between them.
number=0
dictation=""
: > "$parts/list"
while read -r text; do
    number=$((number + 1))
    flite_say "u$number" rms "$text"
    ffmpeg -loglevel error -y -i "$parts/u$number.wav" -af apad=pad_dur=0.8 "$parts/p$number.wav" < /dev/null
    echo "file p$number.wav" >> "$parts/list"
    dictation="$dictation $(echo "$text" | tr -d , | tr '[:lower:]' '[:upper:]')"
done << 'END'
start
enter four five one
S, M, I, T, H
repeat
five five five, zero one nine eight
H, O, U, S, T, O, N
yes
rubout, H, K, F, three nine
A, L, I, C, E
go
END
ffmpeg -loglevel error -y -f concat -i "$parts/list" "$parts/dictation.wav"
level "$parts/dictation.wav" -ar 16000 -ac 1 -b:a 32k speech/dictation.m4a
transcript dictation "${dictation# }"

espeak video en-us+m1 140 3 "eight three four one"
level "$parts/video.wav" -ar 44100 -ac 2 "$parts/loud.wav"
ffmpeg -loglevel error -y -f lavfi -i "color=c=navy:s=160x120:r=10" -i "$parts/loud.wav" -shortest \
    -map_metadata -1 -bitexact -pix_fmt yuv420p -c:a aac -b:a 64k speech/video.mp4
transcript video "EIGHT THREE FOUR ONE"
