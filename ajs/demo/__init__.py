"""The main job, played in a fresh folder with the real commands, so that it can be read and retyped."""
