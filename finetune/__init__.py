"""Pose-RFT's learning side: data, supervised stage 1 and evaluation."""
