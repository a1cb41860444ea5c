; Installer for Windows: iscc /DVersion=… /DRoot=… axdesk.iss; packaging/bundle.py calls it so.
;
; For the user alone by default, without asking for an administrator; /ALLUSERS installs for all.
; Silent: axdesk-…-setup.exe /VERYSILENT /SUPPRESSMSGBOXES /NORESTART, uninstalled by
; unins000.exe /VERYSILENT. Data lie in %LOCALAPPDATA%\axdesk, which neither touches.

#ifndef Version
  #error Give /DVersion=…
#endif

[Setup]
AppId={{7C1C5B7E-5C0B-4E0B-9E55-0D6E0A6B7A11}
AppName=axdesk
AppVersion={#Version}
AppPublisher=axdesk
DefaultDirName={autopf}\axdesk
DefaultGroupName=axdesk
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=commandline dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
OutputDir={#Root}\dist
OutputBaseFilename=axdesk-{#Version}-windows-x64-setup
SetupIconFile={#Root}\build\bundle\axdesk.ico
UninstallDisplayIcon={app}\axdesk.exe
Compression=lzma2/max
SolidCompression=yes
WizardStyle=modern
CloseApplications=yes
RestartApplications=no
; A running experiment must not lose its program: Setup asks to close it, and a silent one gives up.
AppMutex=axdesk-is-running

[Files]
Source: "{#Root}\dist\axdesk\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[InstallDelete]
; What an older version brought and this one does not.
Type: filesandordirs; Name: "{app}\_internal"

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked

[Icons]
Name: "{group}\axdesk"; Filename: "{app}\axdesk.exe"
Name: "{autodesktop}\axdesk"; Filename: "{app}\axdesk.exe"; Tasks: desktopicon

[Run]
Filename: "{app}\axdesk.exe"; Description: "{cm:LaunchProgram,axdesk}"; Flags: nowait postinstall skipifsilent
