#!/bin/sh
# Makes an authority of your own and a certificate that it signs, for a test or a lesson.
#
#   sh certificates.sh FOLDER [NAMES [NAME.pem]]
#
#   sh certificates.sh target/certificates
#   sh certificates.sh target/certificates DNS:bookmarks.test,IP:192.0.2.7 bookmarks
#
# Leaves authority.pem, which clients are to trust, and localhost.pem with localhost.key for the server.
# The authority that is there already is used again. DAYS (30) is how long the certificate is good for.
set -eu
folder=$1 names=${2:-DNS:localhost,IP:127.0.0.1,IP:::1} file=${3:-localhost}
mkdir -p "$folder" && cd "$folder"
umask 077 # the keys are for nobody else

# 1. The authority: a key, and a certificate in which it vouches for itself.
[ -e authority.pem ] ||
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
        -keyout authority.key -out authority.pem -subj "/CN=an authority of my own"

# 2. The server: a key, and a request, in which the server says who it is.
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$file.key" -out "$file.csr" -subj "/CN=$file"

# 3. The authority signs what it has looked at: these names, and nothing that could sign others.
printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "$names" > "$file.ext"
openssl x509 -req -in "$file.csr" -CA authority.pem -CAkey authority.key -CAcreateserial \
    -days "${DAYS:-30}" -extfile "$file.ext" -out "$file.pem"
rm "$file.csr" "$file.ext"
