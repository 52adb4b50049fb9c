"""A Ray cluster on this machine, of two nodes with one CPU each: `python -m tests.holds.nodes`.

Says its address, then lives until its standard input ends.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    os.environ |= {"RAY_AUTH_MODE": "disabled"}  # on loopback, and whatever token this machine has
    os.environ |= {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    sys.stdout.write(f"{cluster.address} {cluster.head_node.get_session_dir_path()}\n")
    sys.stdout.flush()
    sys.stdin.read()
    cluster.shutdown()
