"""One function per verb, the same for every front end: plain values in, result values out, no words."""
