"""Structure: what one TF construct becomes in PyTorch when it is more than one call."""
