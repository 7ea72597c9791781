#!/usr/bin/env node
// The file that `npx nightshift` runs. It exists before the first build, because npm links it during installation.
import "../dist/main.js";
