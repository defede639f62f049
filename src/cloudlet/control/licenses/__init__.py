"""Plans, subscriptions, licenses and the keys that sign them."""
