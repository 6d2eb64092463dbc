"""What goes when: policies, legal holds, and the runs that archive and delete by them. Why: decision 0101."""
