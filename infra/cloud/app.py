"""Where `cdk` enters (`cdk.json`). The stacks are not written yet, and this says so."""

import sys

if __name__ == "__main__":
    sys.exit("ChatSphere cannot be deployed to AWS yet: this version runs on one machine only (`make up`).")
