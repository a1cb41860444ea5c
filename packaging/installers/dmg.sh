#!/bin/sh
# Make the disk image for macOS: dmg.sh DIST TARGET. packaging/bundle.py calls it so.
#
# Signing and notarising need the developer's own account: with CODESIGN_IDENTITY set, the
# application is signed, with NOTARY_PROFILE the image is notarised, too.
set -eu
dist=$1
target=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -R "$dist/axdesk.app" "$folder/"
cp -R "$dist/axdesk/licences" "$folder/Licences"
ln -s /Applications "$folder/Applications"
if [ -n "${CODESIGN_IDENTITY:-}" ]; then
    codesign --deep --force --options runtime --sign "$CODESIGN_IDENTITY" "$folder/axdesk.app"
fi
hdiutil create -volname axdesk -srcfolder "$folder" -ov -format UDZO "$target"
if [ -n "${NOTARY_PROFILE:-}" ]; then
    xcrun notarytool submit "$target" --keychain-profile "$NOTARY_PROFILE" --wait
    xcrun stapler staple "$target"
fi
