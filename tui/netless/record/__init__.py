"""The screen, kept: as a picture (SVG, PNG) of one moment, as a recording (asciicast) of all that is shown. Imported when somebody asks for one."""
