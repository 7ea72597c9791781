#!/usr/bin/env node
// What `npx nightshift` runs: a file that is there before anything is built, because npm links it while it installs.
import "../dist/main.js";
