#!/usr/bin/env bash
# Makes a base image for `sam local` from four Debian packages, for machines that reach no image registry: a shell,
# glibc, libgcc and root certificates, with the folders Lambda has. It is a stand-in, not Amazon Linux: never publish it.
#   base_image.sh NAME:TAG
set -euo pipefail
image=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debs" "$work/root"
chmod 755 "$work"
arch=$(dpkg --print-architecture)
(cd "$work/debs" && apt-get -o APT::Sandbox::User=root download -qq busybox-static libc6 libgcc-s1 ca-certificates)
for deb in "$work"/debs/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/root" --exclude=./usr/share/doc --exclude=./usr/share/man \
    --exclude=./usr/share/locale --exclude='./usr/lib/*/gconv'
done
cd "$work/root"
for tool in sh mv cp rm mkdir chmod cat ls env id; do ln -s busybox "bin/$tool"; done
mkdir -p etc/ssl/certs var/task var/runtime opt tmp root proc sys dev
chmod 1777 tmp
cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt
rm -rf usr/share/ca-certificates
echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
echo 'root:x:0:' >etc/group
echo 'hosts: files dns' >etc/nsswitch.conf
tar -c . | docker import --platform "linux/$arch" --change 'WORKDIR /var/task' \
  --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/task:/var/task/lib:/opt/lib TZ=:UTC LANG=en_US.UTF-8 LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' \
  - "$image" >/dev/null
echo "made $image"
