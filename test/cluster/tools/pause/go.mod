module millrace.dev/test/cluster/tools/pause

go 1.24.0
